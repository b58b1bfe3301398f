"""The catalogue check: what makes a scenario worth having, as six points that figures decide.

1. every action changes a measure other than its own cost in some state, and no observation is constant (`effects`);
2. the reference rule beats random, waiting, each role at its best constant, and the best joint constant (`constants`);
3. it beats the best clock-only policy (`timetable`);
4. scarcity binds: with ten times the resources it scores clearly better (`scarcity`);
5. adversarial policies score below it (`adversaries`);
6. the same seed and actions give the same episode in another process (`replay`).
"""
