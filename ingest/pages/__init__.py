"""From what a page draws (`sheet`) to elements in reading order. Knows no PDF library."""
