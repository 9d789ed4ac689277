// holdfast-filter --check FILE: what would be found in a message, without a gateway that runs.
#pragma once

#include <string>
#include <vector>

namespace holdfast::filter {

// Reads the configuration and the file, closes the sandbox, looks. Prints a finding a line; the exit code is 0 when the
// message would go on, 65 (data) when it would be refused or kept, that of the error when it could not be looked at.
int check(const std::vector<std::string>& words);
std::string check_usage();

}  // namespace holdfast::filter
