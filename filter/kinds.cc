#include "filter/kinds.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

namespace holdfast::filter {
namespace {

using namespace std::string_view_literals;

bool at(std::string_view bytes, std::size_t offset, std::string_view magic) {
  return bytes.size() >= offset + magic.size() && bytes.substr(offset, magic.size()) == magic;
}

bool begins_with_any(std::string_view bytes, std::initializer_list<std::string_view> magics) {
  return std::ranges::any_of(magics, [&](std::string_view magic) { return bytes.starts_with(magic); });
}

std::uint32_t little32(std::string_view bytes, std::size_t offset) {
  std::uint32_t out = 0;
  for (std::size_t i = 4; i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return out;
}

// "MZ" alone could begin a text: a program has more, or bytes that no text has.
bool is_dos_program(std::string_view head) {
  if (!begins_with_any(head, {"MZ"sv, "ZM"sv}) || head.size() < 28) return false;
  if (head.size() >= 64) {
    const std::uint32_t header = little32(head, 60);
    if (at(head, header, "PE\0\0"sv) || at(head, header, "NE"sv) || at(head, header, "LE"sv) || at(head, header, "LX"sv)) return true;
  }
  return head.substr(0, 64).find('\0') != head.npos;
}

bool is_executable(std::string_view head) {
  return is_dos_program(head) ||
         begins_with_any(head, {"\x7F" "ELF"sv, "\xFE\xED\xFA\xCE"sv, "\xFE\xED\xFA\xCF"sv, "\xCE\xFA\xED\xFE"sv,
                                "\xCF\xFA\xED\xFE"sv, "\xCA\xFE\xBA\xBE"sv, "dex\n03"sv});
}

bool is_script(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  if (!head.starts_with("#!")) return false;
  const auto path = head.find_first_not_of(" \t", 2);
  return path != head.npos && head[path] == '/';
}

// The end of a zip's directory: within the last 64 KiB, since a comment may follow.
bool has_zip_end(std::string_view bytes) {
  constexpr std::size_t kReach = 65'557;
  const auto tail = bytes.substr(bytes.size() - std::min(bytes.size(), kReach));
  const auto end = tail.rfind("PK\x05\x06"sv);
  return end != tail.npos && tail.size() - end >= 22;
}

}  // namespace

Kind kind_of(std::string_view head) {
  if (is_executable(head)) return Kind::kExecutable;
  if (head.starts_with("L\0\0\0\x01\x14\x02\0\0\0\0\0\xC0\0\0\0"sv)) return Kind::kShortcut;
  if (is_script(head)) return Kind::kScript;
  if (at(head, 32'769, "CD001"sv) || begins_with_any(head, {"conectix"sv, "vhdxfile"sv})) return Kind::kImage;
  return Kind::kOther;
}

bool is_compressed(std::string_view head) {
  return begins_with_any(head, {"\x1F\x8B"sv, "BZh"sv, "\xFD" "7zXZ\0"sv, "\x28\xB5\x2F\xFD"sv, "\x1F\x9D"sv});
}

bool is_zip(std::string_view bytes) {
  return begins_with_any(bytes, {"PK\x03\x04"sv, "PK\x05\x06"sv, "PK\x07\x08"sv, "PK00PK"sv}) || has_zip_end(bytes);
}

bool is_archive(std::string_view bytes) {
  if (is_compressed(bytes) || begins_with_any(bytes, {"7z\xBC\xAF\x27\x1C"sv, "Rar!\x1A\x07"sv, "MSCF\0\0\0\0"sv, "070701"sv, "070707"sv})) {
    return true;
  }
  const bool lha = bytes.size() > 7 && at(bytes, 2, "-lh"sv) && bytes[6] == '-';
  return lha || at(bytes, 257, "ustar"sv) || at(bytes, 32'769, "CD001"sv) || is_zip(bytes);
}

bool is_ole(std::string_view head) { return head.starts_with("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv); }

bool ole_has_macros(std::string_view bytes) {
  constexpr auto kProject = "_\0V\0B\0A\0_\0P\0R\0O\0J\0E\0C\0T\0"sv;
  return is_ole(bytes) && ::memmem(bytes.data(), bytes.size(), kProject.data(), kProject.size()) != nullptr;
}

bool is_macro_entry(std::string_view plain, std::string_view path) {
  return plain == "vbaproject.bin" || path == "basic/script-lc.xml" || path.ends_with("/basic/script-lc.xml");
}

}  // namespace holdfast::filter
