#include "filter/names.h"

#include <memory>

#include <glib.h>

#include "common/base/text.h"

namespace holdfast::filter {
namespace {

struct Freed {
  void operator()(char* text) const { g_free(text); }
};
using Text = std::unique_ptr<char, Freed>;

constexpr std::size_t kLongest = 4'096;  // no file system has longer ones

bool is_invisible(gunichar c) {
  return c < 32 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF ||
         (c >= 0xE0000 && c <= 0xE0FFF);
}

Text valid(std::string_view name) {
  if (name.size() > kLongest) name.remove_prefix(name.size() - kLongest);
  return Text(g_utf8_make_valid(name.data(), static_cast<gssize>(name.size())));
}

std::string seen(const char* text) {
  std::string out;
  for (const char* at = text; *at != '\0'; at = g_utf8_next_char(at)) {
    if (!is_invisible(g_utf8_get_char(at))) out.append(at, static_cast<std::size_t>(g_utf8_next_char(at) - at));
  }
  return out;
}

}  // namespace

std::string plain_name(std::string_view name) {
  const Text whole = valid(name);
  const std::string visible = seen(whole.get());
  const Text normal(g_utf8_normalize(visible.c_str(), -1, G_NORMALIZE_ALL_COMPOSE));
  const Text lower(g_utf8_strdown(normal ? normal.get() : visible.c_str(), -1));
  std::string out = lower.get();
  if (const auto folder = out.find_last_of("/\\"); folder != out.npos && folder + 1 < out.size()) out.erase(0, folder + 1);
  // A stream of NTFS: "a.exe::$DATA" is a.exe.
  if (const auto colon = out.find(':'); colon != out.npos && colon > 1) out.resize(colon);
  while (!out.empty() && (out.back() == '.' || out.back() == ' ' || out.back() == '"' || out.back() == '/' || out.back() == '\\')) {
    out.pop_back();
  }
  return out;
}

bool is_disguised(std::string_view name) {
  return name.find("\xE2\x80\xAE") != name.npos || name.find("\xE2\x80\xAD") != name.npos;
}

std::string shown_name(std::string_view name) {
  constexpr std::size_t kMost = 60;
  const Text whole = valid(name);
  std::string out;
  for (const char* at = whole.get(); *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    out += c >= 32 && c < 127 && c != '"' && c != '\\' ? static_cast<char>(c) : '?';
  }
  return out.size() <= kMost ? out : "..." + out.substr(out.size() - kMost + 3);
}

std::string_view without_ending(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == name.npos || dot == 0 ? name : name.substr(0, dot);
}

}  // namespace holdfast::filter
