// One run of the admin's command: no shell, a session and an environment of its own, text on its standard input, a time
// limit. What it writes is read, and its beginning kept. Not for a process behind locked doors: command_helper.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "alertd/curl.h"
#include "common/base/file.h"
#include "common/net/loop.h"

namespace holdfast::alertd {

class Program {
 public:
  struct Task {
    std::vector<std::string> words;        // the program, absolute, and its arguments
    std::vector<std::string> environment;  // beside PATH and LANG
    std::string input;                     // 64 KiB at most
    base::Seconds limit{30};
  };
  using Done = std::function<void(const Answer&)>;

  Program(net::Loop& loop, const Task& task, Done done);  // `done` comes later, once, unless we are destroyed before
  ~Program();                                             // kills what still runs
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

 private:
  std::string launch(const Task& task);
  void on_output();
  void on_exit();
  void end(Answer answer);

  net::Loop& loop_;
  Done done_;
  pid_t pid_ = 0;
  base::UniqueFd output_, exited_;         // what it writes; its pidfd
  std::unique_ptr<net::Watch> output_watch_, exit_watch_;
  net::Timer limit_;
  base::Seconds allowed_;
  bool killed_ = false;
  std::string said_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::alertd
