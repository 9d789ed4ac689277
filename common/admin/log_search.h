// Where did my message go: what all logs say of it, in order of time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/admin/gateway.h"
#include "common/admin/log_files.h"
#include "common/admin/log_lines.h"

namespace holdfast::admin {

struct FoundLine {
  std::int64_t when_s = 0;
  int order = 0;
  std::string line;
};
// {"time", "host", "daemon", "pid", "queue_id", "text"} and a newline; empty for a line that is none.
std::string found_json(const FoundLine& found);

// The logs, read twice: once to learn which ids are meant, once for their lines. Only the lines found are kept.
class LogSearch {
 public:
  LogSearch(std::string folder, const std::string& what) : folder_(std::move(folder)), trace_(what) {}

  // A recipient stands in the log with the first attempt only: mail that still waits for one is found in the queue.
  base::Status add_queued(Gateway& gateway, const std::string& address);
  // kTemporary when `go_on` says no in the middle of it.
  base::Status search(const GoOn& go_on = always);
  const std::vector<FoundLine>& found() const { return found_; }
  // What was added to the logs since search().
  base::Status added(const std::function<void(const FoundLine&)>& visit);

 private:
  using Visit = std::function<void(const LogFile&, const LogLine&, std::string_view)>;
  base::Status each_line(const std::vector<LogFile>& files, const Visit& visit, bool keep_open, const GoOn& go_on);

  const std::string folder_;
  Trace trace_;
  std::vector<FoundLine> found_;
  std::map<std::string, LogTail> tails_;
};

}  // namespace holdfast::admin
