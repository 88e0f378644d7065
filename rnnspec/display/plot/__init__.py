"""Pictures of what happens inside recurrent layers, and of models.

They need matplotlib: `pip install 'rnnspec[plot]'`. Every function takes axes to draw on, makes a figure where it is
given none, and returns the axes. The user's style and the layer stay as they are; nothing is shown or saved.
"""

from rnnspec.display.plot.gradient_lines import gradient_norms
from rnnspec.display.plot.heat_maps import gates, states
from rnnspec.display.plot.layer_boxes import model

__all__ = ["gates", "gradient_norms", "model", "states"]
