"""Who makes and who reads the tensors of a functional model."""

import keras
from keras import layers


class Graph:
    """The tensors of a functional model, with what makes and what reads each.

    Args:
        model: a functional Keras model.
    """

    def __init__(self, model):
        self.model = model
        self._makers, self._readers, self._tensors = {}, {}, {}
        for operation in model.operations:
            for tensor in keras.tree.flatten(operation.output):
                self._makers[id(tensor)] = operation
                self._tensors[id(tensor)] = tensor
                self._readers.setdefault(id(tensor), [])
            if not isinstance(operation, layers.InputLayer):
                for tensor in keras.tree.flatten(operation.input):
                    self._readers.setdefault(id(tensor), []).append(operation)

    @property
    def tensors(self):
        """All of them, in the order in which they are computed."""
        return list(self._tensors.values())

    def maker(self, tensor):
        """The operation whose output a tensor is."""
        return self._makers[id(tensor)]

    def readers(self, tensor):
        """The operations whose input a tensor is."""
        return self._readers[id(tensor)]

    def only_reader(self, tensor):
        """The operation that alone reads a tensor; None where there are none or several."""
        readers = self.readers(tensor)
        return readers[0] if len(readers) == 1 else None

    def within_relu(self, tensor):
        """Whether a ReLU alone reads a tensor: TFLite then computes both as one."""
        return type(self.only_reader(tensor)) is layers.ReLU
