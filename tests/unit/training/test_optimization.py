"""AdamW and its learning rate."""

import pytest
import torch

from mtbridge.training.optimization import adamw, scheduled_rate, set_rate


def test_matrices_are_decayed_and_vectors_are_not():
    module = torch.nn.Linear(3, 2)
    torch.nn.init.ones_(module.weight)
    torch.nn.init.ones_(module.bias)
    optimizer = adamw(module.parameters(), 0.1, 0.5)
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    torch.testing.assert_close(module.weight.data, torch.full((2, 3), 1 - 0.1 * 0.5))
    assert torch.equal(module.bias.data, torch.ones(2))


def test_the_rate_rises_to_its_peak_at_the_end_of_the_warmup_and_falls_in_equal_steps():
    rates = [scheduled_rate(step, 10, 1.0, 0.4) for step in range(1, 11)]
    assert rates == pytest.approx([0.25, 0.5, 0.75, 1, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_no_update_is_lost_on_a_rate_of_zero_or_above_the_peak(warmup):
    rates = [scheduled_rate(step, 7, 3e-4, warmup) for step in range(1, 8)]
    assert all(0 < rate <= 3e-4 for rate in rates)
    assert max(rates) == 3e-4


def test_a_rate_is_set_for_all_parameters():
    optimizer = adamw(torch.nn.Linear(3, 2).parameters(), 0.1, 0.0)
    set_rate(optimizer, 0.2)
    assert [group["lr"] for group in optimizer.param_groups] == [0.2, 0.2]


def test_some_parameters_learn_at_a_multiple_of_the_rate():
    module = torch.nn.Linear(3, 2)
    optimizer = adamw(module.parameters(), 0.1, 0.0, factors={module.weight: 2.0})
    set_rate(optimizer, 0.2)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert rates == {id(module.weight): 0.4, id(module.bias): 0.2}
