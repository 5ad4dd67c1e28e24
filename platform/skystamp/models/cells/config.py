"""What a cell may be told. Each cell reads the options that concern it and leaves the others alone."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class CellConfig:
    """Options of the cells.

    Parameters
    ----------
    units : int
        Width of every layer: of the state, of a convolution's filters, of the transformer's stream.
    depth : int
        Layers, or blocks, one on the other.
    taps : int
        Gamma: filters in a row behind each input, K.
    window : int
        Conv1D: detections that a filter sees at once.
    heads : int
        Transformer: attention heads, a divisor of `units`.
    dropout : float
        Transformer: share dropped after attention and after the dense part, of which at most 0.1 is used.
    """

    units: int = 128
    depth: int = 1
    taps: int = 4
    window: int = 2
    heads: int = 4
    dropout: float = 0.0

    def __post_init__(self) -> None:
        low = {name: getattr(self, name) for name in _LEAST if getattr(self, name) < _LEAST[name]}
        if low:
            raise ValueError(f"options of a cell should be at least {_LEAST}. Received: {low}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout should be in [0, 1). Received: dropout={self.dropout}")


_LEAST = {"units": 1, "depth": 1, "taps": 1, "window": 2, "heads": 1}
NAMES = tuple(field.name for field in fields(CellConfig))
"""The options by name."""
