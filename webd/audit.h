// The log of what was done by the web, and by whom: JSON lines in paths.log/audit.log, each written before the answer.
// May be used by any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/file.h"

namespace holdfast::webd {

struct Entry {
  std::string name, role, address;
  std::string action;  // "POST queue/delete"
  std::string detail;  // the request's words, without passwords
  std::string result;  // "ok", or the error's words
};

class Audit {
 public:
  explicit Audit(std::string file) : file_(std::move(file)) {}
  static std::string file(const std::string& log_folder) { return log_folder + "/audit.log"; }

  // A fault is logged: the deed is done, and cannot be taken back.
  void write(const Entry& entry, std::int64_t now_ms);
  // After a rotation: the next line goes to the file of this name.
  void reopen();

 private:
  const std::string file_;
  std::mutex door_;
  base::UniqueFd fd_;
};

// Entries of the file as JSON texts, the youngest first, from `before` on (the offset of the page before; 0: from the
// end), `limit` of them at most.
struct AuditPage {
  std::vector<std::string> lines;
  std::uint64_t next = 0;  // 0: that was all
};
base::Result<AuditPage> read_audit(const std::string& file, std::uint64_t before, std::size_t limit);

}  // namespace holdfast::webd
