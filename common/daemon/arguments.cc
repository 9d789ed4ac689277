#include "common/daemon/arguments.h"

#include <limits>

#include "common/base/text.h"

namespace holdfast::daemon {
namespace {

base::Result<std::uint32_t> number(const std::string& option, const std::string& word) {
  const auto value = base::to_number(word);
  if (!value || *value > std::numeric_limits<std::int32_t>::max()) {
    return base::fail(base::Kind::kUsage, option + ": \"" + word + "\" is not a number");
  }
  return static_cast<std::uint32_t>(*value);
}

}  // namespace

base::Result<Arguments> parse_arguments(const std::vector<std::string>& words) {
  Arguments out;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const std::string& option = words[i];
    if (i + 1 == words.size()) return base::fail(base::Kind::kUsage, option + ": needs a value");
    if (option == "--config") {
      out.config = words[i + 1];
      continue;
    }
    const auto value = number(option, words[i + 1]);
    if (!value) return std::unexpected(value.error());
    if (option == "--worker") {
      out.worker = *value;
    } else if (option == "--workers") {
      out.workers = *value;
    } else if (option == "--writer") {
      out.writer = *value;
    } else if (option == "--ready-fd") {
      out.ready_fd = static_cast<int>(*value);
    } else if (option == "--life-fd") {
      out.life_fd = static_cast<int>(*value);
    } else if (option == "--board-fd") {
      out.board_fd = static_cast<int>(*value);
    } else if (option == "--files-fd") {
      out.files_fd = static_cast<int>(*value);
    } else if (option == "--stats-fd") {
      out.stats_fd = static_cast<int>(*value);
    } else if (option == "--listen-fd") {
      out.listen_fds.push_back(static_cast<int>(*value));
    } else {
      return base::fail(base::Kind::kUsage, "unknown option " + option + " (this program is started by master)");
    }
  }
  return out;
}

}  // namespace holdfast::daemon
