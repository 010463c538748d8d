"""How long tests wait for what must come: here alone, and long enough for a machine that does ten other things at once.

A wait ends with what it waits for, so that its limit costs time only where a test fails. What is to stay away is waited for
as long as the test itself says.
"""

WAIT_SECONDS = 30.0              # for one thing: a condition, a message, an answer
PROCESS_SECONDS = 90.0           # for a process: it imports, locks its memory, works, ends
SCRIPT_SECONDS = 150.0           # for all that one test does
