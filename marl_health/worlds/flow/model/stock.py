"""Words for what is used up: items on a shelf, how they are ordered, how they come, age and are paid for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from marl_health.spec.common import Each, as_list
from marl_health.spec.errors import shown
from marl_health.spec.numbers import Amount, ClockTime, Model, MoneyRate, Name, Quantity, Sourced, Value
from marl_health.spec.quantities import weekday_slip
from marl_health.worlds.flow.model.base import WEEKDAYS

Issue = Literal["oldest", "newest"]
"""Which units are handed out first: those that expire first, or those that expire last."""


def _some_money(value: Amount) -> Amount:
    if value.dimension not in ("money", "number") or value.value < 0:
        raise ValueError("needs an amount of money, such as 480 usd")
    return value


Price = Annotated[Amount, AfterValidator(_some_money)]
FREE = Quantity(0.0, "money")


class Review(Model):
    """When orders leave for the supplier: at a time of the day, on some weekdays."""

    at: ClockTime = Field(lt=1440, description="Time of the day")
    on: Annotated[list[str], BeforeValidator(as_list, json_schema_input_type=str | list[str])] = Field(
        list(WEEKDAYS), min_length=1, description="Weekdays; every day if absent"
    )

    @model_validator(mode="after")
    def _weekdays(self) -> Review:
        for day in self.on:
            if day.lower() not in WEEKDAYS:
                raise ValueError(f"{shown(day)} is not a weekday{weekday_slip(day)} (write Monday to Sunday)")
        return self


class Reorder(Model):
    """What is ordered without anybody deciding: the (s, S) rule, and base stock where ``at`` is left out.

    Whenever orders leave, or at any moment if there is no ``review``: if what is on hand and on order, less what those
    who wait need, is no more than ``at``, order as much as brings it to ``up_to``.
    """

    up_to: int = Field(ge=1, le=100_000, description="S: on hand and on order after an order")
    at: int | None = Field(None, ge=-100_000, description="s: order when it is this low; otherwise whenever below S")

    @model_validator(mode="after")
    def _below(self) -> Reorder:
        if self.at is not None and self.at >= self.up_to:
            raise ValueError("`at` must be below `up_to`, or nothing would be ordered")
        return self


class StockCosts(Sourced):
    """What a stock costs; all of it is added to `spent`.

    What is on hand or on its way when decisions end is credited at its price, so that nothing is gained by running it
    down. From then on nothing is charged.
    """

    unit: Price = Field(FREE, description="Price of a unit, due when the order leaves")
    order: Price = Field(FREE, description="For each order, whatever its size")
    holding: MoneyRate = Field(0.0, description="For a unit on hand and a time, such as 2 usd per unit_day")
    waste: Price = Field(FREE, description="For each unit that expires, beside its price")


class Stock(Sourced):
    """Items that steps `take` and use up. Whoever needs more than there is waits in a line, as for a resource.

    Units that come are of one batch, which ages; what expires is wasted. Orders of one moment come together.
    """

    start: Value = Field(0, description="Units there when the warm-up begins; of all ages, if they expire")
    lead: Value | None = Field(None, description="Time from when an order leaves until it is there")
    review: list[Review] | None = Field(
        None, min_length=1, max_length=50, description="When orders leave; at once, if absent"
    )
    reorder: Reorder | None = Field(None, description="What is ordered without anybody deciding")
    shelf_life: Value | None = Field(None, description="Age at which a unit expires; never, if absent")
    age: Value | None = Field(None, description="Age of units when they come; new, if absent")
    issue: Issue = Field("oldest", description="Which units are handed out first")
    room: int | None = Field(
        None, ge=1, le=100_000, description="Most units on hand and on order that agents may reach"
    )
    costs: StockCosts = Field(StockCosts(), description="What it costs")

    @model_validator(mode="after")
    def _fits(self) -> Stock:
        if self.age is not None and self.shelf_life is None:
            raise ValueError("age needs a shelf_life; without one units do not age")
        if self.lead is None and (self.review is not None or self.reorder is not None):
            raise ValueError("review and reorder need lead: how long does an order take?")
        return self


class OrderStock(Model):
    """Order units of a stock: one action for each quantity. To order nothing is to wait."""

    order: Name = Field(description="The stock")
    levels: list[Annotated[int, Field(ge=1, le=100_000)]] = Field(
        min_length=1, max_length=50, description="Quantities to choose from"
    )
    lead: Value | None = Field(
        None, description="A lead time of its own, for a rush order: it leaves at once, whatever the review says"
    )
    costs: Price = Field(FREE, description="For each such order, beside what the stock costs")
    at_most: int | None = Field(None, ge=1, le=10_000, description="Orders allowed in an episode")
    each: Each = None

    @model_validator(mode="after")
    def _differ(self) -> OrderStock:
        if len(set(self.levels)) < len(self.levels):
            raise ValueError("the levels must differ from each other")
        return self
