"""A generator that is measured, used and saved with the moving average of its weights."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from kerasgan.model.balance import follow


class AveragedGenerator(keras.Model):
    """Averages what a generator learns over the steps, where its optimizer does (`use_ema`).

    Keras averages weights that are trained; normalisations' statistics are averaged here. Without
    averages, nothing that this adds changes anything.

    Attributes:
        generator: a model from `noisy` to `restored`; `optimizer` trains it.
        averaged_statistics: running means of what the generator's normalisations have seen; none
            where nothing was ever averaged.
    """

    generator: keras.Model
    averaged_statistics: list[Any]

    @property
    def g_optimizer(self) -> Any:
        """The generator's optimizer."""
        return self.optimizer

    @property
    def statistics(self) -> list[Any]:
        """What the generator's normalisations have seen: no weights, but needed like them."""
        return [
            variable
            for variable in self.generator.non_trainable_variables
            if "float" in variable.dtype
        ]

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        self._start_averages()
        history = super().fit(*args, **kwargs)
        # Keras has put averages in the place of weights.
        self._finalize_statistics()
        return history

    def _average_statistics(self) -> None:
        """Averages what normalisations have seen as the optimizer averages weights."""
        if not self._averages:
            return
        for average, statistic in zip(self.averaged_statistics, self.statistics, strict=False):
            follow(average, statistic.value, self.g_optimizer.ema_momentum)

    def _start_averages(self) -> None:
        """Lets averages be the weights before the first step: Keras begins with zeros."""
        if self._averages and not self.g_optimizer.iterations.numpy():
            averages = self.g_optimizer._model_variables_moving_average
            for average, weight in zip(averages, self.generator.trainable_variables, strict=True):
                average.assign(weight)

    @property
    def _averages(self) -> bool:
        return getattr(getattr(self, "optimizer", None), "use_ema", False)

    def finalize_averages(self) -> None:
        """Puts moving averages in the place of the generator's weights, where there are any."""
        if not self._averages:
            return
        self._start_averages()
        self.g_optimizer.finalize_variable_values(self.generator.trainable_variables)
        self._finalize_statistics()

    def _finalize_statistics(self) -> None:
        if not self._averages:
            return
        for average, statistic in zip(self.averaged_statistics, self.statistics, strict=False):
            statistic.assign(tf.where(tf.math.is_nan(average.value), statistic.value, average))

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Puts the moving average of the generator's weights in their place for a while.

        Without a moving average (`use_ema` of the generator's optimizer) it changes nothing.
        `evaluate` and `predict` do this themselves.
        """
        variables = [*self.generator.trainable_variables, *self.statistics]
        values = [tf.identity(variable.value) for variable in variables]
        self.finalize_averages()
        try:
            yield
        finally:
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        with self.averaged_weights():
            return super().evaluate(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        with self.averaged_weights():
            return super().predict(*args, **kwargs)

    def export(self, *args: Any, **kwargs: Any) -> Any:
        """Exports the generator, as `keras.Model.export` does."""
        with self.averaged_weights():
            return self.generator.export(*args, **kwargs)
