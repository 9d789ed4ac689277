// Standard input, output and error: what an answer is worth that did not get out.
#pragma once

namespace holdfast::gatewayctl {

// Before anything is opened. A standard stream that is closed would else be the number of the next file that is opened, and
// what we print would go into the queue's index.
void hold_streams();

// At the end: `exit_code`, or another and a line of why, when standard output did not take everything. Quiet when its
// reader has had enough.
int finish_output(int exit_code);

}  // namespace holdfast::gatewayctl
