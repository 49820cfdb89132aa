"""One module a table or a pair of tables: `frame` computes what is shown, `body` lays it out. See `catalog`."""
