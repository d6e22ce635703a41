"""Words of the demo chain as data: comments, forms, places and the names of stages, touchpoints and aspects."""
