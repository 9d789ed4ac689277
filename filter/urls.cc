#include "filter/urls.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include <arpa/inet.h>

#include "common/base/idn.h"
#include "common/base/text.h"

namespace holdfast::filter {
namespace {

constexpr std::size_t kLongestAuthority = 2'000, kLongestHost = 1'000;

struct Entity {
  std::string_view name, text;
};
// Those that a link can be written with.
constexpr std::array<Entity, 16> kEntities{{{"amp", "&"}, {"period", "."}, {"colon", ":"}, {"sol", "/"}, {"bsol", "\\"},
                                            {"quest", "?"}, {"num", "#"}, {"commat", "@"}, {"percnt", "%"}, {"hyphen", "-"},
                                            {"dash", "-"}, {"lowbar", "_"}, {"Tab", "\t"}, {"NewLine", "\n"}, {"shy", ""},
                                            {"quot", "\""}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_host_char(char c) { return is_digit(c) || is_letter(c) || c == '.' || c == '-' || c == '_' || static_cast<unsigned char>(c) >= 128; }

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x110000) {
    out += static_cast<char>(0xF0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Behind "&#": how much of `text` was used; 0: it is no number.
std::size_t numeric_entity(std::string_view text, std::string& out) {
  const bool hex = !text.empty() && (text[0] == 'x' || text[0] == 'X');
  std::size_t at = hex ? 1 : 0;
  std::uint32_t value = 0;
  const std::size_t first = at;
  for (; at < text.size(); ++at) {
    const int digit = hex_value(text[at]);
    if (digit < 0 || (!hex && digit > 9)) break;
    if (value < 0x200000) value = value * (hex ? 16 : 10) + static_cast<std::uint32_t>(digit);
  }
  if (at == first) return 0;
  append_utf8(out, value);
  return at < text.size() && text[at] == ';' ? at + 1 : at;
}

std::size_t named_entity(std::string_view text, std::string& out) {
  for (const auto& [name, meaning] : kEntities) {
    if (!text.starts_with(name) || text.size() == name.size() || text[name.size()] != ';') continue;
    out += meaning;
    return name.size() + 1;
  }
  return 0;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// As browsers do: "http://3232235777/" and "0xC0.168.1.1" are addresses.
std::optional<std::string> as_address(const std::string& host) {
  const bool numeric = is_digit(host[0]) && host.find_first_not_of("0123456789abcdefx.") == host.npos;
  in_addr address{};
  if (!numeric || ::inet_aton(host.c_str(), &address) == 0) return std::nullopt;
  char text[INET_ADDRSTRLEN]{};
  ::inet_ntop(AF_INET, &address, text, sizeof text);
  return text;
}

// The host as tables have it; nothing if it is none.
std::optional<std::string> folded(std::string_view written) {
  std::string host = percent_decoded(written);
  if (host.empty() || host.size() > kLongestHost || host.find('\0') != host.npos) return std::nullopt;
  auto ascii = base::ascii_domain(host);
  if (!ascii) return std::nullopt;
  while (ascii->ends_with('.')) ascii->pop_back();
  if (ascii->empty()) return std::nullopt;
  if (auto address = as_address(*ascii)) return address;
  return ascii;
}

class Finder {
 public:
  Finder(std::string_view text, bool html, const HostTaker& take) : text_(text), html_(html), take_(take) {}

  // False: the taker has had enough.
  bool run() {
    for (std::size_t at = text_.find_first_of("/:\\.@"); at != text_.npos && going_; at = text_.find_first_of("/:\\.@", at + 1)) {
      if (text_[at] == '.') {
        at = bare(at);
      } else if (begins_authority(at)) {
        at = authority(at);
      }
    }
    return going_;
  }

 private:
  static bool is_slash(char c) { return c == '/' || c == '\\'; }

  // "//" and what browsers take for it, or the colon of "http:".
  bool begins_authority(std::size_t at) const {
    if (is_slash(text_[at])) return at + 1 < text_.size() && is_slash(text_[at + 1]);
    if (text_[at] != ':') return false;
    for (const std::string_view scheme : {"http", "https", "ftp"}) {
      if (at >= scheme.size() && base::iequals(text_.substr(at - scheme.size(), scheme.size()), scheme)) {
        const bool slash = at + 1 < text_.size() && is_slash(text_[at + 1]);
        return slash || html_;
      }
    }
    return false;
  }

  // Returns where it ends.
  std::size_t authority(std::size_t at) {
    const auto begin = text_.find_first_not_of(":/\\", at);
    if (begin == text_.npos) return text_.size();
    const auto reach = text_.substr(begin, kLongestAuthority);
    const auto part = reach.substr(0, reach.find_first_of("/\\?# \t\r\n\"'<>(),;`|{}"));
    auto host = part.substr(part.rfind('@') == part.npos ? 0 : part.rfind('@') + 1);
    if (!host.starts_with('[')) host = host.substr(0, host.find(':'));
    tell(host);
    return begin + part.size() - 1 + (part.empty() ? 1 : 0);
  }

  // "www.evil.test" and "evil.test/path", which mail programs show as links. `at` is a dot; returns where the word ends.
  std::size_t bare(std::size_t at) {
    std::size_t begin = at, end = at;
    while (begin > 0 && is_host_char(text_[begin - 1]) && at - begin < kLongestHost) --begin;
    while (end < text_.size() && is_host_char(text_[end]) && end - at < kLongestHost) ++end;
    const auto word = text_.substr(begin, end - begin);
    const bool mailbox = begin > 0 && text_[begin - 1] == '@';
    const bool link = base::istarts_with(word, "www.") || (end < text_.size() && is_slash(text_[end]));
    if (link && !mailbox) tell(word);
    return end - 1;
  }

  void tell(std::string_view host) {
    while (host.ends_with('.')) host.remove_suffix(1);
    if (const auto name = folded(host)) going_ = take_(*name);
  }

  std::string_view text_;
  bool html_;
  const HostTaker& take_;
  bool going_ = true;
};

bool find_all(std::string_view text, bool html, const HostTaker& take) {
  if (!Finder(text, html, take).run()) return false;
  // Links in links: "?url=https%3A%2F%2Fevil.test".
  const auto escaped = std::ranges::search(text, std::string_view("%2f"), {}, base::lower);
  return escaped.empty() || Finder(percent_decoded(text), html, take).run();
}

}  // namespace

std::string without_entities(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto amp = text.find('&');
    out += text.substr(0, amp);
    if (amp == text.npos) break;
    text.remove_prefix(amp + 1);
    const bool number = text.starts_with('#');
    const std::size_t used = number ? numeric_entity(text.substr(1), out) : named_entity(text, out);
    if (used == 0) out += '&';
    text.remove_prefix(used + (number && used > 0 ? 1 : 0));
  }
  return out;
}

void find_hosts(std::string_view text, bool html, const HostTaker& take) {
  if (!html) return (void)find_all(text, false, take);
  std::string resolved = without_entities(text);
  if (!find_all(resolved, true, take)) return;
  const auto before = resolved.size();
  std::erase_if(resolved, [](char c) { return c == '\t' || c == '\r' || c == '\n'; });
  if (resolved.size() != before) find_all(resolved, true, take);
}

}  // namespace holdfast::filter
