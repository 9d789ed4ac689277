// The settings of holdfast-filter: its rows of global_settings().
#include "common/base/idn.h"
#include "common/base/network.h"
#include "common/base/text.h"
#include "common/config/settings.h"
#include "common/config/values.h"

namespace holdfast::config {
namespace {

constexpr std::size_t kLongestPattern = 200;

std::string pattern_fault(std::string_view text) {
  if (text.empty() || text.size() > kLongestPattern) return "must have 1 to 200 characters";
  return text.find('/') == text.npos && text.find('\\') == text.npos ? "" : "must be the name of a file, without a folder";
}

std::string type_fault(std::string_view text) {
  const auto slash = text.find('/');
  const bool good = slash != text.npos && slash > 0 && slash + 1 < text.size() && text.find('/', slash + 1) == text.npos;
  return good && text.size() <= kLongestPattern ? "" : "must be a type of content such as application/x-msdownload or image/*";
}

std::string host_fault(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (base::IpAddress::parse(std::string(text))) return "";
  const auto name = base::ascii_domain(text);
  return name ? hostname_fault(*name) : "is no name of a host";
}

const std::vector<std::string_view>& actions() {
  static const std::vector<std::string_view> all{"reject", "quarantine", "header", "pass"};
  return all;
}

// clang-format off
const std::vector<Setting<Config>>& content_table() {
  static const std::vector<Setting<Config>> table{
    {{.name = "content_filter.enabled",
      .doc = "Starts holdfast-filter, which looks for what is not wanted in mail (docs/content-filter.md). smtpd asks it where `filters` "
             "names the milter `holdfast`.",
      .reload = Reload::kRestart},
     [](Config& c) -> Slot { return &c.content_filter.enabled; }},
    {{.name = "content_filter.names.blocked",
      .doc = "Names of attachments, and of files in archives, that are not wanted: patterns with `*` and `?`, in any case; a list, or "
             "a file with one a line (`#` begins a comment). Names are compared without what hides their end: turned directions of "
             "writing, invisible characters, dots and blanks behind.",
      .check = pattern_fault, .default_text = "programs, scripts and shortcuts of Windows, as in etc/gateway.yaml"},
     [](Config& c) -> Slot { return TextsSlot{&c.content_filter.names.blocked, &c.content_filter.names.file}; }},
    {{.name = "content_filter.names.action",
      .doc = "What becomes of a message with such a name: it is refused (554 5.7.1), kept as held in the queue, marked by a header "
             "X-Holdfast-Content, or passed.",
      .choices = actions()},
     [](Config& c) -> Slot { return ChoiceSlot{&c.content_filter.names.action, nullptr}; }},
    {{.name = "content_filter.types.blocked",
      .doc = "Types of content, as a message's parts declare them, that are not wanted: patterns with `*` and `?`, a list or a file.",
      .check = type_fault},
     [](Config& c) -> Slot { return TextsSlot{&c.content_filter.types.blocked, &c.content_filter.types.file}; }},
    {{.name = "content_filter.types.action", .doc = "What becomes of a message with such a part.", .choices = actions()},
     [](Config& c) -> Slot { return ChoiceSlot{&c.content_filter.types.action, nullptr}; }},
    {{.name = "content_filter.urls.blocked",
      .doc = "Hosts that no link may lead to, nor to any name below them: a list, or a file with one a line.", .check = host_fault},
     [](Config& c) -> Slot { return TextsSlot{&c.content_filter.urls.blocked, &c.content_filter.urls.file}; }},
    {{.name = "content_filter.urls.action", .doc = "What becomes of a message with such a link.", .choices = actions()},
     [](Config& c) -> Slot { return ChoiceSlot{&c.content_filter.urls.action, nullptr}; }},
    {{.name = "content_filter.kinds.executables",
      .doc = "Programs, whatever they are called: known by their first bytes (Windows, ELF, Mach-O, Java, Android).",
      .choices = actions()},
     [](Config& c) -> Slot { return ChoiceSlot{&c.content_filter.executables, nullptr}; }},
    {{.name = "content_filter.kinds.shortcuts", .doc = "Shortcuts of Windows (.lnk), whatever they are called.", .choices = actions()},
     [](Config& c) -> Slot { return ChoiceSlot{&c.content_filter.shortcuts, nullptr}; }},
    {{.name = "content_filter.kinds.macros", .doc = "Office documents with macros, old and new.", .choices = actions()},
     [](Config& c) -> Slot { return ChoiceSlot{&c.content_filter.macros, nullptr}; }},
    {{.name = "content_filter.kinds.scripts", .doc = "Attachments that begin with `#!`.", .choices = actions()},
     [](Config& c) -> Slot { return ChoiceSlot{&c.content_filter.scripts, nullptr}; }},
    {{.name = "content_filter.kinds.images", .doc = "Images of discs (ISO 9660, VHD, VHDX), which hide where a file came from.",
      .choices = actions()},
     [](Config& c) -> Slot { return ChoiceSlot{&c.content_filter.images, nullptr}; }},
    {{.name = "content_filter.archives.encrypted", .doc = "Archives that cannot be looked into without a password.",
      .choices = actions()},
     [](Config& c) -> Slot { return ChoiceSlot{&c.content_filter.encrypted, nullptr}; }},
    {{.name = "content_filter.archives.damaged",
      .doc = "Archives that cannot be read to their end, or not within the limits below; messages nested deeper than anybody "
             "writes them.",
      .choices = actions()},
     [](Config& c) -> Slot { return ChoiceSlot{&c.content_filter.damaged, nullptr}; }},
    {{.name = "content_filter.limits.depth", .doc = "Archives in archives are opened so deep.", .range = {1, 20}},
     [](Config& c) -> Slot { return &c.content_filter.depth; }},
    {{.name = "content_filter.limits.entries", .doc = "So many files are looked at in all archives of a message.",
      .range = {1, 1'000'000}},
     [](Config& c) -> Slot { return &c.content_filter.entries; }},
    {{.name = "content_filter.limits.bytes", .doc = "So much is unpacked of all archives of a message.",
      .range = {1 << 20, 1ULL << 30}, .size = true},
     [](Config& c) -> Slot { return &c.content_filter.bytes; }},
    {{.name = "content_filter.limits.time", .doc = "So long is looked at a message.", .range = {1, 120}},
     [](Config& c) -> Slot { return &c.content_filter.time; }},
  };
  return table;
}
// clang-format on

}  // namespace

std::span<const Setting<Config>> content_settings() { return content_table(); }

std::string filter_folder(const Paths& paths) { return paths.run + "/filter"; }
std::string filter_socket(const Paths& paths) { return filter_folder(paths) + "/socket"; }

}  // namespace holdfast::config
