#include "common/config/lines.h"

#include "common/base/file.h"
#include "common/base/text.h"

namespace holdfast::config {

base::Result<std::vector<Line>> read_lines(const std::string& path) {
  const auto text = base::read_file(path, 64 << 20);
  if (!text) return std::unexpected(text.error());
  std::vector<Line> out;
  int number = 0;
  for (std::string_view line : base::split(*text, '\n')) {
    ++number;
    line = base::trim(line.substr(0, line.find('#')));
    if (!line.empty()) out.push_back({std::string(line), Place{path, number}});
  }
  return out;
}

}  // namespace holdfast::config
