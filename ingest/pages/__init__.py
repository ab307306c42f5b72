"""From what a page draws (`sheet`) to what it says, in reading order (`compose`). Knows no PDF library."""
