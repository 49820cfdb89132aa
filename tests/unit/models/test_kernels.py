"""Weights in a kernel's own layout change nothing that a module computes, and nothing of the module."""

import copy

import pytest
import torch

from mtbridge.models import kernels
from mtbridge.models.kernels import cpu_kernels, inference_kernels


@pytest.fixture
def module():
    torch.manual_seed(1)
    layers = torch.nn.Linear(48, 96), torch.nn.GELU(), torch.nn.Linear(96, 40, bias=False)
    return torch.nn.Sequential(*layers).eval()


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this build of torch has no oneDNN")
@pytest.mark.parametrize("rows", [1, 3, 200])
def test_products_are_the_same(module, rows):
    x = torch.randn(2, rows, 48)
    with torch.inference_mode():
        expected = module(x)
        with inference_kernels(module):
            assert "forward" in vars(module[0]), "the layers have the kernels"
            torch.testing.assert_close(module(x), expected)
            with cpu_kernels(module):  # an encoder enters it again
                torch.testing.assert_close(module(x), expected)
        assert torch.equal(module(x), expected)


def test_the_module_is_as_it_was_also_behind_an_error(module):
    before = copy.deepcopy(module.state_dict())
    with pytest.raises(RuntimeError, match="in it"), inference_kernels(module):
        raise RuntimeError("in it")
    assert not any("forward" in vars(layer) for layer in module)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_gradients_and_other_precisions_are_left_alone(module):
    x = torch.randn(5, 48)
    module(x).sum().backward()
    expected = module[0].weight.grad.clone()
    module.zero_grad()
    with inference_kernels(module):
        module(x).sum().backward()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            assert module(x).dtype == torch.bfloat16
    assert torch.equal(module[0].weight.grad, expected)
    half = module.to(torch.bfloat16)
    with torch.inference_mode(), inference_kernels(half):
        assert half(x.bfloat16()).dtype == torch.bfloat16 and not any("forward" in vars(layer) for layer in half)


def test_a_matrix_of_a_vocabulary_is_not_held_twice(module, monkeypatch):
    monkeypatch.setattr(kernels, "REORDERED", 48 * 96 - 1)
    with inference_kernels(module):
        assert ["forward" in vars(layer) for layer in module] == [False, False, True]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("trained", [("x",), ("weight",), ("x", "weight"), ("x", "weight", "bias"), ("bias",)])
def test_gradients_of_the_products_are_those_of_torch_for_what_is_trained(trained, bias):
    torch.manual_seed(2)
    layer, x = torch.nn.Linear(32, 24, bias=bias), torch.randn(3, 7, 32)
    tensors = {"x": x, "weight": layer.weight} | ({"bias": layer.bias} if bias else {})
    if not set(trained) & set(tensors):
        pytest.skip("there is none")
    wanted = {name: tensor.requires_grad_(name in trained) for name, tensor in tensors.items()}

    def gradients():
        found = []
        (layer(x).tanh() ** 2).sum().backward()
        for tensor in wanted.values():
            found.append(tensor.grad)
            tensor.grad = None
        return found

    expected = gradients()
    with cpu_kernels(layer):
        got = gradients()
    assert [one is None for one in got] == [name not in trained for name in wanted]
    for one, other in zip(got, expected, strict=True):
        if one is not None:
            torch.testing.assert_close(one, other)


@pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="this build of torch has no MKL beside oneDNN")
def test_no_gradient_is_computed_for_weights_that_are_not_trained():
    layer, x = torch.nn.Linear(32, 24).requires_grad_(False), torch.randn(5, 32, requires_grad=True)
    with torch.profiler.profile() as profile, cpu_kernels(layer):
        layer(x).sum().backward()
    assert not [event for event in profile.key_averages() if event.key in ("aten::mm", "aten::addmm")]
