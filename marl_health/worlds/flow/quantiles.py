"""Compiles distributions: from their parameters in the file to a quantile function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, log
from typing import TYPE_CHECKING, Any, NamedTuple

from marl_health.kernel import distributions as dist
from marl_health.spec import numbers as spec
from marl_health.spec.errors import Where

if TYPE_CHECKING:
    from marl_health.worlds.flow.names import Names

ABOVE_ZERO = 1e-9
"""Stands for the lowest value of a distribution that comes near 0 and never reaches it."""


class Drawn(NamedTuple):
    """A compiled distribution: value of a uniform in (0, 1), dimension, and lowest value."""

    quantile: Callable[[float], float]
    dimension: str
    low: float


class QuantileCompiler:
    """Compiles the distributions of a scenario.

    Args:
        names: where problems are collected and tables are read.
    """

    def __init__(self, names: Names) -> None:
        self.names = names

    def compile(self, value: Any, path: Where) -> Drawn | None:
        """Compile one distribution; ``None`` after a problem."""
        if isinstance(value, spec.Constant):
            amount = value.constant
            return Drawn(dist.constant_quantile(amount.value), amount.dimension, amount.value)
        if isinstance(value, spec.Exponential):
            return self._positive(value.exponential.mean, (*path, "exponential", "mean"), dist.exponential_quantile)
        if isinstance(value, spec.Lognormal):
            return _lognormal(value.lognormal)
        if isinstance(value, spec.Gamma):
            mean = value.gamma.mean
            assert mean is not None
            shape = (mean.value / value.gamma.deviation) ** 2
            return Drawn(dist.gamma_quantile(shape, mean.value / shape), mean.dimension, ABOVE_ZERO)
        if isinstance(value, spec.Erlang):
            stages = value.erlang.stages
            where = (*path, "erlang", "mean")
            return self._positive(value.erlang.mean, where, lambda mean: dist.gamma_quantile(stages, mean / stages))
        if isinstance(value, spec.Weibull):
            shape = value.weibull.shape
            where = (*path, "weibull", "mean")
            return self._positive(value.weibull.mean, where, lambda mean: dist.weibull_quantile(shape, mean))
        if isinstance(value, spec.Triangular):
            t = value.triangular
            self._alike([t.low, t.mode, t.high], (*path, "triangular"))
            quantile = dist.triangular_quantile(t.low.value, t.mode.value, t.high.value)
            return Drawn(quantile, t.mode.dimension, t.low.value or ABOVE_ZERO)
        if isinstance(value, spec.Uniform):
            low, high = value.uniform
            self._alike([low, high], (*path, "uniform"))
            return Drawn(dist.uniform_quantile(low.value, high.value), low.dimension, low.value or ABOVE_ZERO)
        if isinstance(value, spec.Normal):
            return self._normal(value.normal, (*path, "normal"))
        if isinstance(value, spec.Empirical):
            return self._empirical(value.empirical, (*path, "empirical"))
        assert isinstance(value, spec.Mixture)
        return self._mixture(value.mixture, (*path, "mixture"))

    def _positive(
        self, mean: spec.Quantity, path: Where, build: Callable[[float], Callable[[float], float]]
    ) -> Drawn | None:
        if mean.value <= 0:
            self.names.problem(path, "the mean must be above 0")
            return None
        return Drawn(build(mean.value), mean.dimension, ABOVE_ZERO)

    def _alike(self, amounts: Sequence[spec.Quantity], path: Where) -> None:
        found = sorted({amount.dimension for amount in amounts})
        if len(found) > 1:
            kinds = " and ".join(spec.KINDS[dimension] for dimension in found)
            self.names.problem(path, f"all parameters need the same kind of unit, but here are {kinds}")

    def _normal(self, normal: spec.NormalParameters, path: Where) -> Drawn | None:
        mean, sd, within = normal.mean, normal.sd, normal.within
        self._alike([mean, sd, *(within or ())], path)
        bounds = (0.0 if mean.dimension == "time" else -inf, inf)
        if within is not None:
            bounds = (within[0].value, within[1].value)
        try:
            quantile = dist.normal_quantile(mean.value, sd.value, *bounds)
        except ValueError as error:
            self.names.problem(path, str(error))
            return None
        return Drawn(quantile, mean.dimension, bounds[0] or ABOVE_ZERO)

    def _empirical(self, observed: list[spec.Quantity] | spec.TableColumn, path: Where) -> Drawn | None:
        if isinstance(observed, spec.TableColumn):
            values = self.names.tables.column(observed.table, observed.column, path)
            if values is None:
                return None
            dimension = "number"
        else:
            values = [amount.value for amount in observed]
            self._alike(observed, path)
            dimension = observed[0].dimension
        return Drawn(dist.empirical_quantile(values), dimension, min(values))

    def _mixture(self, mixture: list[spec.Part], path: Where) -> Drawn | None:
        total = sum(part.share for part in mixture)
        if abs(total - 1) > 1e-6:
            self.names.problem(path, f"the shares add up to {100 * total:.6g}%, not to 100%")
        parts = [self._part(part.of, (*path, number, "of")) for number, part in enumerate(mixture)]
        built = [part for part in parts if part is not None]
        if len(built) < len(parts) or total <= 0:
            return None
        if len({part.dimension for part in built}) > 1:
            self.names.problem(path, "all parts of a mixture need the same kind of unit")
        quantile = dist.mixture_quantile([part.share for part in mixture], [part.quantile for part in built])
        return Drawn(quantile, built[0].dimension, min(part.low for part in built))

    def _part(self, value: Any, path: Where) -> Drawn | None:
        if not isinstance(value, str | int | float):
            if type(value) in spec.DISTRIBUTIONS:
                return self.compile(value, path)
        elif not isinstance(value, bool):
            try:
                amount = spec.read_quantity(value)
            except ValueError as error:
                self.names.problem(path, str(error))
                return None
            return Drawn(dist.constant_quantile(amount.value), amount.dimension, amount.value)
        self.names.problem(path, "a part of a mixture is a quantity or a distribution")
        return None


def _lognormal(p: spec.LognormalParameters) -> Drawn:
    if p.median is not None and p.sigma is not None:
        return Drawn(dist.lognormal_quantile(log(p.median.value), p.sigma), p.median.dimension, ABOVE_ZERO)
    assert p.mean is not None
    sd = p.sd.value if p.sd is not None else p.mean.value * (p.cv or 0.0)
    quantile = dist.lognormal_quantile(*dist.lognormal_parameters(p.mean.value, sd))
    return Drawn(quantile, p.mean.dimension, ABOVE_ZERO)
