// The admin's command cannot be started behind alertd's locked doors (common/sandbox). So a process that is forked before
// they close does it: the same account, no privilege, but no filter either. It takes from the running configuration what
// is run, and from alertd only the facts and the input: who has taken over alertd can make it run nothing else. It reads
// nothing that came from outside but these, and passes them on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alertd/alert.h"
#include "alertd/curl.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/net/loop.h"

namespace holdfast::alertd {

// Forks the helper, which lives until the other end of the descriptor is closed, and kills then what still runs.
// `config_file`: read at each run. `title`: what ps shows, written over `argv`; null: as it is. To be called in a process
// without threads, locks and secrets.
base::Result<base::UniqueFd> start_command_helper(std::string config_file, int argc = 0, char** argv = nullptr);

// alertd's end of it.
class CommandRunner {
 public:
  using Done = std::function<void(const Answer&)>;

  // `gone`: the helper has ended; all that was asked is answered so before.
  CommandRunner(net::Loop& loop, base::UniqueFd helper, std::function<void()> gone);
  ~CommandRunner();
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  // The command gets `facts` as HOLDFAST_KEY in its environment, and `input`. `done` comes later, once, unless we are
  // destroyed before.
  void run(const std::vector<Fact>& facts, const std::string& input, Done done);

 private:
  void on_answer();
  void later(Done done, Answer answer);

  net::Loop& loop_;
  base::UniqueFd helper_;
  std::function<void()> gone_;
  net::Watch watch_;
  std::map<std::uint64_t, Done> waiting_;
  std::uint64_t last_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::alertd
