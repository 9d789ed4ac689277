// A daemon's log file. Lines have Postfix's shape (conventions.md): date, host, holdfast/TAG[pid]: text.
// Text comes from the closed set in common/mail/events.h, or is a notice, warning or fatal line.
//
// One writer a process; write() may be called from any thread. Lines are gathered and written whole
// (O_APPEND, so that the workers of one daemon share a file) when flush() is called, at 32 KiB, or at once
// for warnings and worse. reopen() is for log rotation.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/file.h"

namespace holdfast::base {

class Log {
 public:
  // Until open() lines go to standard error.
  Status open(std::string path, std::string host, std::string name);
  Status reopen();

  // `tag` is the NAME in holdfast/NAME: the daemon's own unless given (proxied deliveries are "proxy").
  void write(std::string_view text, std::string_view tag = {});
  void notice(std::string_view text) { write(text); }
  void warning(std::string_view text);
  void error(std::string_view text);
  void debug(std::string_view text);
  void flush();

  void set_debug(bool on) { debug_ = on; }
  bool debugging() const { return debug_; }

 private:
  void flush_locked();

  std::mutex mutex_;
  std::string path_, host_ = "localhost", name_ = "holdfast", pending_;
  UniqueFd fd_;
  bool debug_ = false;
};

// The process's log.
Log& log();

}  // namespace holdfast::base
