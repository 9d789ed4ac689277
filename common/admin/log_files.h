// The daemons' log files: what is there, rotated ones too, and what is added from now on.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/base/file.h"

namespace holdfast::admin {

// A file of paths.log: NAME.log is written to, NAME.log.1 and on are older, NAME.log.2.gz is packed as well.
struct LogFile {
  std::string path, name;  // "qmgr"
  unsigned age = 0;        // the number behind .log
  bool packed = false;
  std::int64_t written_s = 0;
};
// Of each daemon the oldest first. kNotFound and kPermission as the folder says.
base::Result<std::vector<LogFile>> list_log_files(const std::string& folder);

using LineVisit = std::function<void(std::string_view line)>;
// Asked every 256 KiB; no ends the reading with kTemporary.
using GoOn = std::function<bool()>;
inline const GoOn always = [] { return true; };

// Every line of the file; a packed one is unpacked.
base::Status read_lines(const LogFile& file, const LineVisit& visit, const GoOn& go_on = always);

// A file that is written to: each read_on() gives the whole lines that were added, and goes over to the new file when
// the log was rotated.
class LogTail {
 public:
  explicit LogTail(std::string path) : path_(std::move(path)) {}
  base::Status read_on(const LineVisit& visit, const GoOn& go_on = always);

 private:
  base::Status read_rest(const LineVisit& visit, const GoOn& go_on);

  std::string path_, partial_;
  base::UniqueFd fd_;
};

// Waits for changes in a folder.
class FolderWatch {
 public:
  static base::Result<FolderWatch> open(const std::string& folder);
  // Until something was written, made or renamed there.
  base::Status wait() const;

 private:
  explicit FolderWatch(base::UniqueFd fd) : fd_(std::move(fd)) {}
  base::UniqueFd fd_;
};

}  // namespace holdfast::admin
