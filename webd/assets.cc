#include "webd/assets.h"

#include <algorithm>

namespace holdfast::webd {

const Asset* find_asset(std::string_view path) {
  if (path == "/") path = "/index.html";
  const auto all = all_assets();
  const auto found = std::ranges::find(all, path, &Asset::path);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace holdfast::webd
