// What the keeper's program does at the two ends of a link.
#pragma once

namespace venvoy::keeper {

// `venvoy-keeper --stdio [PROGRAM ARGUMENT…]`, the pilot: starts a keeper of its own and links it to standard input and
// output. When the other side closes the channel, or is lost, or this process is told to end or killed, the keeper
// buries everything that it has started. The program is run last, if the other side was lost: it may give back what
// nobody uses any more.
int run_pilot(int argument_count, char** arguments);

// `venvoy-keeper --link`, the head: links the engine's socket (descriptor 0) to what is read from descriptor 3 and
// written to 4. SIGTERM ends the link in order; without it the pilot has lost its engine. Tells on standard output, in
// one line, how many processors the other side has, and its name; on standard error why it has ended.
int run_head();

}  // namespace venvoy::keeper
