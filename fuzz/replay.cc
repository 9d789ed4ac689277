// Gives every input of FOLDER/TARGET to each target that is linked in:
//
//   fuzz_replay FOLDER [TARGET]
//
// Exit 1 and the input's name when a target finds a fault, in whatever way it ends: each runs in a process of its own.
// 64 for a target that has no input, since a test that tries nothing cannot fail.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/panic.h"
#include "fuzz/target.h"

namespace {

namespace fs = std::filesystem;
using holdfast::fuzz::Target;
using Inputs = std::vector<fs::path>;

Inputs inputs_of(const fs::path& folder) {
  Inputs inputs;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) inputs.push_back(entry.path());
  std::ranges::sort(inputs);
  return inputs;
}

// How many inputs were begun: written by the child, read by the parent when it has ended.
std::size_t* shared_count() {
  void* page = ::mmap(nullptr, sizeof(std::size_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  holdfast::base::expect(page != MAP_FAILED, "mmap");
  return static_cast<std::size_t*>(page);
}

[[noreturn]] void run_all(const Target& target, const Inputs& inputs, std::size_t& begun) {
  for (const auto& input : inputs) {
    ++begun;
    const auto bytes = holdfast::base::read_file(input);
    holdfast::base::expect(bytes.has_value(), "the input cannot be read");
    target.run(*bytes);
  }
  std::exit(0);
}

bool replay(const Target& target, const Inputs& inputs, std::size_t& begun) {
  begun = 0;
  std::fflush(nullptr);
  const pid_t child = ::fork();
  holdfast::base::expect(child >= 0, "fork");
  if (child == 0) run_all(target, inputs, begun);
  int status = 0;
  holdfast::base::expect(::waitpid(child, &status, 0) == child, "waitpid");
  if (status == 0) return true;
  const std::string name(target.name);
  std::fprintf(stderr, "fuzz_replay: %s fails on %s\n", name.c_str(),
               begun == 0 ? "nothing" : inputs[begun - 1].c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: fuzz_replay FOLDER [TARGET]\n");
    return 64;
  }
  std::size_t& begun = *shared_count();
  bool any = false, sound = true;
  for (const Target& target : holdfast::fuzz::targets()) {
    if (argc == 3 && target.name != argv[2]) continue;
    const Inputs inputs = inputs_of(fs::path(argv[1]) / target.name);
    std::printf("%s: %zu inputs\n", std::string(target.name).c_str(), inputs.size());
    if (inputs.empty()) return 64;
    sound = replay(target, inputs, begun) && sound;
    any = true;
  }
  if (!any) return 64;
  return sound ? 0 : 1;
}
