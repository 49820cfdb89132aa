"""One module a figure: `frame` is all that it draws, the CSV; `draw` adds nothing to it. See `catalog`."""
