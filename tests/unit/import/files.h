// Files that are only texts, and what was found in them.
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "import/found.h"

namespace holdfast::importer {

inline ReadFile reader_of(std::map<std::string, std::string> files) {
  return [files = std::move(files)](const std::string& path) -> base::Result<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return base::fail(base::Kind::kNotFound, path + ": No such file or directory");
    return found->second;
  };
}

inline bool left(const Found& found, const std::string& part) {
  return std::ranges::any_of(found.left, [&](const auto& text) { return text.find(part) != text.npos; });
}

inline std::string setting(const Found& found, const std::string& name) {
  for (const auto& [key, value] : found.settings) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace holdfast::importer
