"""Writes Tests/ActGradTests/Reference/composites.txt: values and derivatives of composed functions as JAX computes them in f64.

Every line is `name: numbers`; CompositeTests.swift builds the same functions. Inputs are wave(n, k)[i] = sin(1.3 i + k).
Usage: python3 make_composites.py, with jax installed.
"""
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update('jax_enable_x64', True)
OUT = pathlib.Path(__file__).resolve().parents[2] / 'Tests/ActGradTests/Reference/composites.txt'


def wave(shape, k):
    n = int(np.prod(shape))
    return jnp.array(np.sin(1.3 * np.arange(n) + k).reshape(shape))


lines = []


def put(name, *arrays):
    numbers = np.concatenate([np.asarray(a, dtype=np.float64).ravel() for a in arrays])
    lines.append(name + ': ' + ' '.join(repr(float(v)) for v in numbers))


def mlp(w1, b1, w2, b2, x, y):
    return jnp.mean((jnp.tanh(x @ w1 + b1) @ w2 + b2 - y) ** 2)


args = [wave((3, 4), 1), wave((4,), 2), wave((4, 2), 3), wave((2,), 4)]
data = [wave((5, 3), 5), wave((5, 2), 6)]
v, g = jax.value_and_grad(mlp, argnums=(0, 1, 2, 3))(*args, *data)
put('mlp', v, *g)


def cross_entropy(w, x):
    labels = jnp.array([0, 2, 1, 2])
    logits = jax.nn.silu(x @ w)
    return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(4), labels])


v, g = jax.value_and_grad(cross_entropy)(wave((5, 3), 1), wave((4, 5), 2))
put('cross_entropy', v, *g)
put('cross_entropy hessian', jax.hessian(lambda w: cross_entropy(w, wave((4, 2), 2)))(wave((2, 3), 1)))
put('softmax jacobian', jax.jacobian(jax.nn.softmax)(wave((4,), 1)))
put('log_softmax gradient of rows', jax.grad(lambda x: jnp.sum(jax.nn.log_softmax(x, axis=0) * wave((3, 4), 9)))(wave((3, 4), 1)))
put('norm', jax.grad(jnp.linalg.norm)(wave((5,), 1)))
put('logsumexp', jax.grad(jax.nn.logsumexp)(wave((5,), 1)), jax.hessian(jax.nn.logsumexp)(wave((5,), 1)))


def recurrent(x):
    h = jnp.zeros(3)
    w = wave((3, 3), 7)
    for i in range(6):
        h = jnp.tanh(h @ w + x * x[i % 3])
    return jnp.sum(h * h)


put('recurrent', jax.grad(recurrent)(wave((3,), 1)), jax.hessian(recurrent)(wave((3,), 1)))


def newton(a):
    x = a
    for _ in range(6):
        x = x - (x * x - a) / (2 * x)
    return x


put('newton', *[f(2.0) for f in (newton, jax.grad(newton), jax.grad(jax.grad(newton)), jax.grad(jax.grad(jax.grad(newton))))])

rosenbrock = lambda x: jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
put('rosenbrock', jax.grad(rosenbrock)(wave((4,), 1)), jax.hessian(rosenbrock)(wave((4,), 1)))

zeros = jnp.array([2.0, 0.0, 3.0, -1.5])
two = jnp.array([2.0, 0.0, 3.0, 0.0, 4.0])
put('prod', jax.grad(jnp.prod)(zeros), jax.grad(jnp.prod)(two), jax.grad(jnp.prod)(wave((4,), 1)), jax.hessian(jnp.prod)(two))
put('prod axis', jax.grad(lambda x: jnp.sum(jnp.prod(x, axis=1) * wave((3,), 2)))(wave((3, 4), 1).at[1, 2].set(0)))
cumprod = lambda x: jnp.sum(jnp.cumprod(x) * wave(x.shape, 5))
put('cumprod', jax.grad(cumprod)(wave((5,), 1)), jax.grad(cumprod)(two), jax.hessian(cumprod)(two), jax.hessian(cumprod)(wave((5,), 1)))
put('cumsum', jax.grad(lambda x: jnp.sum(jnp.cumsum(x ** 2, axis=1) ** 2))(wave((3, 4), 1)))
put('max ties', jax.grad(jnp.max)(jnp.array([1.0, 3.0, 3.0, 2.0])))
put('matmul broadcast', *jax.grad(lambda a, b: jnp.sum(jnp.sin(a @ b)), argnums=(0, 1))(wave((2, 1, 3, 4), 1), wave((5, 4, 2), 2)))
put('broadcast', *jax.grad(lambda a, b, c: jnp.sum(jnp.exp(a * b) / (2 + jnp.cos(c))), argnums=(0, 1, 2))(
    wave((3, 1), 1), wave((4,), 2), jnp.array(0.3)))
put('views', jax.grad(lambda x: jnp.sum(jnp.sin(x.T.reshape(2, 6)[:, ::-2]) * wave((2, 3), 3)))(wave((4, 3), 1)))
put('third', jax.vmap(jax.grad(jax.grad(jax.grad(lambda x: jnp.tanh(x) * jnp.exp(-x * x) + jnp.sin(3 * x) / (1 + x * x)))))(wave((6,), 1)))
put('variance', jax.grad(lambda x: jnp.var(x * x) + jnp.mean(jnp.sqrt(2 + x)))(wave((6,), 1)))
put('pow', *jax.grad(lambda a, b: jnp.sum(a ** b), argnums=(0, 1))(jnp.abs(wave((5,), 1)), wave((5,), 2)))
put('attention', *jax.grad(lambda q, k, v: jnp.sum(jax.nn.softmax(q @ k.T / 2.0) @ v * wave((3, 2), 8)), argnums=(0, 1, 2))(
    wave((3, 4), 1), wave((5, 4), 2), wave((5, 2), 3)))
put('jacobian tall', jax.jacobian(lambda x: jnp.sin(jnp.outer(jnp.arange(7.0), x)).sum(axis=1) * x[0])(wave((2,), 1)))

OUT.write_text('\n'.join(lines) + '\n')
