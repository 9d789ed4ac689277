#include "common/base/log.h"

#include <cerrno>
#include <chrono>
#include <filesystem>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/time.h"

namespace holdfast::base {
namespace {

constexpr std::size_t kFlushAt = 32 << 10;

// Where others than root may make files, root follows no link of theirs.
int no_link_for_root(const std::string& path) {
  if (::geteuid() != 0) return 0;
  struct stat folder {};
  const auto name = std::filesystem::path(path).parent_path();
  const bool shared = ::stat(name.empty() ? "." : name.c_str(), &folder) == 0 &&
                      ((folder.st_mode & (S_IWGRP | S_IWOTH)) != 0) && folder.st_gid != 0;
  return shared ? O_NOFOLLOW : 0;
}

Result<UniqueFd> open_log(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | no_link_for_root(path), 0640));
  if (!fd) return fail_errno(path, errno);
  return fd;
}

// The date for a line, made once a second: that costs more than all else of a line.
const std::string& date_now() {
  static thread_local Wall shown{};
  static thread_local std::string text;
  const auto now = std::chrono::floor<std::chrono::seconds>(wall_now());
  if (text.empty() || now != shown) text = syslog_date(now);
  shown = now;
  return text;
}

// No daemon forks after its first line.
int process_id() {
  static const int id = ::getpid();
  return id;
}

}  // namespace

Status Log::open(std::string path, std::string host, std::string name) {
  auto fd = open_log(path);
  if (!fd) return std::unexpected(fd.error());
  const std::lock_guard lock(mutex_);
  path_ = std::move(path);
  host_ = std::move(host);
  name_ = std::move(name);
  fd_ = std::move(*fd);
  return {};
}

Status Log::reopen() {
  const std::lock_guard lock(mutex_);
  flush_locked();
  if (path_.empty()) return {};
  auto fd = open_log(path_);
  if (!fd) return std::unexpected(fd.error());
  fd_ = std::move(*fd);
  return {};
}

void Log::write(std::string_view text, std::string_view tag) {
  const std::lock_guard lock(mutex_);
  fmt::format_to(std::back_inserter(pending_), "{} {} holdfast/{}[{}]: {}\n", date_now(), host_,
                 tag.empty() ? std::string_view(name_) : tag, process_id(), text);
  if (pending_.size() >= kFlushAt || !fd_) flush_locked();
}

void Log::warning(std::string_view text) {
  write(fmt::format("warning: {}", text));
  flush();
}

void Log::error(std::string_view text) {
  write(fmt::format("error: {}", text));
  flush();
}

void Log::debug(std::string_view text) {
  if (debug_) write(fmt::format("debug: {}", text));
}

void Log::flush() {
  const std::lock_guard lock(mutex_);
  flush_locked();
}

void Log::flush_locked() {
  if (pending_.empty()) return;
  // A log that cannot be written must not stop mail: the lines are lost, the mail is not.
  (void)write_all(fd_ ? fd_.get() : STDERR_FILENO, pending_);
  pending_.clear();
}

Log& log() {
  static Log the_log;
  return the_log;
}

}  // namespace holdfast::base
