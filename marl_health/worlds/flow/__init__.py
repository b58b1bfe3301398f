"""The flow world: whatever moves along a pathway and competes for resources.

``model`` holds the words of the language, ``compile*`` turn a scenario into a program (immutable tables), ``world``
runs an episode of it, ``steps``, ``clocks`` and ``sources`` are what happens in it, ``decisions``, ``sights`` and
``readings`` what agents do, see and are judged by.
"""
