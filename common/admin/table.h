// Aligned columns for people. Cells are made printable here, so that nothing from outside can act on a
// terminal. An empty cell is shown as a dash: what is unknown is never 0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::admin {

class Table {
 public:
  // A head that begins with '>' is of a column of numbers, aligned to the right.
  explicit Table(std::vector<std::string> heads);

  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // The rows added since the last call, each a line; the heads come with the first rows only, and columns
  // never get narrower, so that a long listing can be written a page at a time.
  std::string take();

 private:
  std::string line(const std::vector<std::string>& cells) const;

  std::vector<std::string> heads_;
  std::vector<bool> right_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
  bool headed_ = false;
};

// "1 message", "5 messages".
std::string count_text(std::uint64_t n, const std::string& noun);
// "512 B", "3.4 KiB", "12 MiB".
std::string bytes_text(std::uint64_t bytes);
// "2h 5m ago"; empty for never.
std::string ago_text(std::int64_t then_ms, std::int64_t now_ms);
// "in 5m", "now", or empty for never.
std::string ahead_text(std::int64_t then_ms, std::int64_t now_ms);
// "2026-11-25T10:00:00Z (in 5m)"; empty for never.
std::string dated_text(std::int64_t ms, std::int64_t now_ms);
// A line of a page about one thing: its name, and its value or a dash.
std::string field_line(std::string_view name, const std::string& value);

}  // namespace holdfast::admin
