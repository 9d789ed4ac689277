// Every setting, declared once: one row of a table. The loader, the reference in docs/settings.md, `config
// show`, `config diff` and the reload all walk these tables; nothing else knows a setting's name.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/time.h"
#include "common/config/config.h"
#include "common/policy/entry.h"

namespace holdfast::config {

// Values that take more than one member, or need a form of their own.
struct ChoiceSlot {      // one of the setting's choices; either member
  std::string* text;
  bool* second;          // true: the second of two choices
};
struct PathSlot {
  std::string* path;
};
struct FileSlot {        // "": none
  std::string* file;
};
struct ServersSlot {
  std::vector<HostPort>* servers;
};
struct ListenSlot {
  std::vector<HostPort>* listen;
};
struct RelaySlot {       // one server, or none
  std::vector<HostPort>* servers;
};
struct RelaysSlot {      // servers that take submissions, or none
  std::vector<HostPort>* relays;
};
struct WebhooksSlot {    // a list of maps
  std::vector<Webhook>* webhooks;
};
struct ResolversSlot {
  std::vector<HostPort>* resolvers;
};
struct NetworksSlot {
  std::vector<base::Network>* networks;
};
struct ReserveSlot {
  SpoolReserve* reserve;
};
struct FlagsSlot {       // a list of the setting's choices: a flag each, in their order
  std::vector<bool*> flags;
};
struct RetrySlot {
  std::string* name;
  std::vector<Phase>* schedule;
};
struct KeyFilesSlot {    // a map of names to {certificate, key}
  std::map<std::string, KeyFiles>* names;
};
struct CopiesSlot {      // a map of addresses to addresses
  std::map<std::string, std::string, std::less<>>* copies;
};
struct FiltersSlot {     // a list of maps
  std::vector<Filter>* filters;
};
struct TextsSlot {       // a list, or a file with one a line
  std::vector<std::string>* texts;
  std::string* file;
};
struct RecipientsSlot {
  std::vector<std::string>* addresses;
  std::string* file;
};

struct ListSlot {        // entries of a list, {file: NAME} among them, or one file's name
  std::vector<ListItem>* items;
  policy::ListKind kind;
};
struct ZonesSlot {       // a list of maps, or of names alone
  std::vector<DnsblZone>* zones;
};

// Where a setting's value is kept; the kind of slot is the setting's type.
using Slot = std::variant<bool*, int*, std::uint64_t*, base::Seconds*, std::string*, std::vector<std::string>*,
                          ChoiceSlot, PathSlot, FileSlot, ServersSlot, ListenSlot, RelaySlot, RelaysSlot, WebhooksSlot, ResolversSlot, NetworksSlot, ReserveSlot,
                          FlagsSlot, RetrySlot, KeyFilesSlot, CopiesSlot, FiltersSlot, TextsSlot, RecipientsSlot, ListSlot, ZonesSlot>;

enum class Reload {
  kLive,     // a reload puts it into force
  kRestart,  // a reload that changes it is refused: master must be restarted
};

struct Range {
  std::uint64_t least = 0;
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
};

// What is declared of a setting, whoever owns it.
struct Info {
  std::string_view name;                 // within its owner, a dot between levels: "probe.interval"
  std::string_view doc;                  // whole sentences
  Range range{};                         // of numbers; seconds of durations; bytes of sizes
  bool size = false;                     // a number of bytes, written 10MiB
  std::string_view zero{};               // what 0 is written as: "off", "none"
  std::vector<std::string_view> choices{};
  std::string (*check)(std::string_view) = nullptr;  // of texts: "" or what is wrong: "ends with a dot"
  std::string_view default_text{};       // for the reference, where the default is worked out and not fixed
  bool required = false;
  Reload reload = Reload::kLive;
};

template <class Owner>
struct Setting {
  Info info;
  Slot (*slot)(Owner&);                  // the default is what a fresh Owner holds there
};

std::span<const Setting<Config>> global_settings();
std::span<const Setting<Config>> smtpd_settings();  // those of them that begin with "smtpd."
std::span<const Setting<Config>> admission_settings();  // those that begin with "lists.", "dnsbl." and "greylist."
std::span<const Setting<Config>> alert_settings();  // those that begin with "alerts."
std::span<const Setting<Destination>> destination_settings();
std::span<const Setting<Domain>> domain_settings();

// "duration", "size", "number", "list of texts", … for the reference and for errors.
std::string type_text(const Slot& slot, const Info& info);
// The value as YAML on one line: 120s, ["10.0.0.5:25"], default. Recipients read from a file: the file's
// name, or with `inline_files` the list.
std::string value_text(const Slot& slot, const Info& info, bool inline_files = false);
// "1s to 1d", "reject or normalize"; empty when anything goes.
std::string bounds_text(const Slot& slot, const Info& info);

// The slot of a value that is only read.
template <class Owner>
Slot slot_of(const Setting<Owner>& setting, const Owner& owner) {
  return setting.slot(const_cast<Owner&>(owner));
}

}  // namespace holdfast::config
