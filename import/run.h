// The program: reads, writes, and says how much there is to look after.
#pragma once

#include <string>

namespace holdfast::importer {

enum class System { kPostfix, kExim };

struct Order {
  System system = System::kPostfix;
  std::string file;                // empty: where the system has it; "-": standard input
  std::string output;              // empty: standard output
  std::string recipients_folder;   // empty: recipients stand in the output
  std::string domain_list = "relay_to_domains";
};

// The exit code; what is wrong goes to standard error.
int run(const Order& order);

}  // namespace holdfast::importer
