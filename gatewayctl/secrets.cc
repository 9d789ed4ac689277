#include "gatewayctl/secrets.h"

#include <algorithm>
#include <functional>

#include "common/base/text.h"

namespace holdfast::gatewayctl {
namespace {

constexpr std::string_view kHidden = "[hidden]";

std::string replaced(std::string text, std::string_view secret) {
  for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at + kHidden.size())) text.replace(at, secret.size(), kHidden);
  return text;
}

// From "-----BEGIN … PRIVATE KEY-----" to its end, or the text's.
std::string without_keys(std::string text) {
  constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END ", kDashes = "-----";
  for (auto at = text.find(kBegin); at != text.npos; at = text.find(kBegin, at + 1)) {
    const auto line_end = text.find(kDashes, at + kBegin.size());
    if (line_end == text.npos) break;
    if (text.substr(at, line_end - at).find("PRIVATE KEY") == text.npos) continue;
    const auto end = text.find(kEnd, line_end);
    const auto behind = end == text.npos ? text.npos : text.find(kDashes, end + kEnd.size());
    text.replace(at, behind == text.npos ? text.npos : behind + kDashes.size() - at, kHidden);
  }
  return text;
}

bool of_name(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; }

// Where the value begins behind a name that speaks of a secret, from `at` on; npos: there is none.
std::size_t secret_value(const std::string& lower, std::size_t at) {
  for (const std::string_view word : {"password", "passwd", "passphrase", "secret", "token", "authorization", "api_key", "api-key", "apikey", "cookie"}) {
    for (auto found = lower.find(word, at); found != lower.npos; found = lower.find(word, found + 1)) {
      auto end = found + word.size();
      while (end < lower.size() && of_name(lower[end])) ++end;
      const auto name = std::string_view(lower).substr(found, end - found);
      while (end < lower.size() && (lower[end] == ' ' || lower[end] == '"' || lower[end] == '\'')) ++end;
      if (end >= lower.size() || (lower[end] != ':' && lower[end] != '=')) continue;
      if (name.ends_with("_file") || name.ends_with("-file")) continue;
      return end + 1;
    }
  }
  return lower.npos;
}

std::string without_values(std::string_view line) {
  const auto at = secret_value(base::to_lower(line), 0);
  if (at == line.npos || base::trim(line.substr(at)).empty()) return std::string(line);
  return std::string(line.substr(0, at)) + " " + std::string(kHidden);
}

bool ends_url(char c) { return c == ' ' || c == '"' || c == '\'' || c == '>' || c == '<' || c == ',' || c == '\t' || c == ']' || c == ')'; }

std::string without_url_parts(std::string line) {
  constexpr std::string_view kMark = "://";
  for (auto at = line.find(kMark); at != line.npos; at = line.find(kMark, at + 1)) {
    const auto begin = at + kMark.size();
    auto end = begin;
    while (end < line.size() && !ends_url(line[end])) ++end;
    const auto host_end = std::min(line.find_first_of("/?#", begin), end);
    const auto scheme = std::string_view(line).substr(0, at);
    if (host_end < end && end - host_end > 1 && (scheme.ends_with("http") || scheme.ends_with("https"))) {
      line.replace(host_end + 1, end - host_end - 1, kHidden);
    }
    const auto user_end = line.rfind('@', host_end);
    if (user_end != line.npos && user_end >= begin && user_end < host_end) line.replace(begin, user_end - begin, kHidden);
  }
  return line;
}

bool of_local_part(char c) {
  return of_name(c) || (c >= 'A' && c <= 'Z') || std::string_view("+=~#$%&*!?/^'`{|}").find(c) != std::string_view::npos ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string each_line(std::string_view text, std::string (*change)(std::string_view)) {
  std::string out;
  bool first = true;
  for (const auto line : base::split(text, '\n')) {
    if (!first) out += '\n';
    first = false;
    out += change(line);
  }
  return out;
}

}  // namespace

std::string without_secrets(std::string_view text, const std::vector<std::string>& secrets) {
  constexpr std::size_t kShortest = 4;
  auto longest_first = secrets;
  std::ranges::sort(longest_first, std::greater{}, &std::string::size);
  auto out = without_keys(std::string(text));
  for (const auto& secret : longest_first) {
    if (secret.size() >= kShortest) out = replaced(std::move(out), secret);
  }
  return each_line(out, [](std::string_view line) { return without_url_parts(without_values(line)); });
}

std::string without_people(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '@') {
      auto begin = out.size();
      while (begin > 0 && of_local_part(out[begin - 1])) --begin;
      if (out.size() - begin > 1) out.replace(begin + 1, out.npos, "..");
    }
    out += c;
  }
  return out;
}

}  // namespace holdfast::gatewayctl
