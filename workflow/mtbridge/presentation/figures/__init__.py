"""One module for each figure. `frame` returns all values of the figure, which its CSV holds; `draw` only draws them."""
