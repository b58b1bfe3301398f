"""Random small networks: up to two stations with a way back to the first, then the part that is looked at."""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.worlds.build import game_of, scenario

FORMS = {
    "constant": "{mean} min",
    "exponential": {"exponential": {"mean": "{mean} min"}},
    "gamma": {"gamma": {"mean": "{mean} min", "cv": 0.5}},
    "lognormal": {"lognormal": {"mean": "{mean} min", "cv": 1.5}},
}
CLASSES = {"choice": {"1": "20%", "2": "50%", "3": "30%"}}


@dataclass(frozen=True)
class Station:
    """Servers of one kind, and how long they serve: a distribution and its mean in minutes."""

    form: str
    mean: float
    servers: int

    @property
    def time(self):
        form = FORMS[self.form]
        if isinstance(form, str):
            return form.format(mean=self.mean)
        ((name, parameters),) = form.items()
        return {
            name: {key: value.format(mean=self.mean) if key == "mean" else value for key, value in parameters.items()}
        }


@dataclass(frozen=True)
class Network:
    """What comes before the part that is looked at.

    Attributes:
        rate: arrivals per hour. before: stations that everybody passes.
        back: percentage of those who have passed the last of them that begin again at the first.
    """

    rate: float
    before: tuple[Station, ...]
    back: int

    def load(self, tmp_path, *, staff, pathway, queues, gate, hours, warm_up, **more):
        """Load a scenario: the stations, then the ``pathway``, which begins where the ``gate`` leads."""
        names = [f"before_{number}" for number in range(len(self.before))]
        steps = {}
        for name, following, station in zip(names, [*names, "gate"][1:], self.before, strict=True):
            last = following == "gate" and self.back
            way = {"split": {names[0]: f"{self.back}%", "gate": "else"}} if last else following
            steps[name] = {"use": f"staff_{name}", "for": station.time, "next": way}
        return scenario(
            tmp_path,
            clock={"warm_up": f"{warm_up} h", "episode": f"{hours} h", "decide_every": f"{hours} h"},
            staff={f"staff_{name}": {"count": s.servers} for name, s in zip(names, self.before, strict=True)} | staff,
            entities={
                "customer": {
                    "arrive": {"rate": {"per_hour": self.rate}},
                    "has": {"acuity": CLASSES},
                    "begins": [*names, "gate"][0],
                }
            },
            pathway=steps | {"gate": {"mark": "reached", "next": gate}} | pathway | {"out": {"leave": "done"}},
            queues=queues,
            measures={"wait": {"from": "reached", "to": "served"}},
            kpis={
                "hours": {"of": "wait.hours"},
                "mean": {"of": "wait.mean"},
                "arrived": {"of": "customer.arrived"},
                **more,
            },
        )


def play(loaded, seed, events=True):
    game = game_of(loaded, seed, events=events)
    while not game.finished:
        game.advance()
    return game


@st.composite
def stations(draw, rate, forms, *, most=0.9):
    """A station that is asked for at least half of what it can do, with so many customers per hour."""
    servers, load = draw(st.integers(1, 4)), draw(st.floats(0.5, most))
    return Station(draw(st.sampled_from(forms)), round(60 * servers * load / rate, 4), servers)


@st.composite
def networks(draw, forms=tuple(FORMS), *, most=0.9):
    """The stations before the part that is looked at."""
    rate = draw(st.integers(10, 80)) / 10
    number = draw(st.integers(0, 2))
    back = draw(st.integers(0, 40)) if number else 0
    flow = rate / (1 - back / 100)
    return Network(rate, tuple(draw(stations(flow, forms, most=most)) for _ in range(number)), back)
