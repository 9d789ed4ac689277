// The pages: what lies in webd/assets, and Chart.js of Debian's package, built in (tools/embed-assets).
#pragma once

#include <span>
#include <string_view>

namespace holdfast::webd {

struct Asset {
  std::string_view path;   // "/pages/queue.js"
  std::string_view type;   // "text/javascript; charset=utf-8"
  std::string_view etag;   // with its quotes
  std::string_view plain;
  std::string_view packed;  // by gzip; empty where that is no gain
};

std::span<const Asset> all_assets();
// nullptr: there is none; "/" is "/index.html".
const Asset* find_asset(std::string_view path);

}  // namespace holdfast::webd
