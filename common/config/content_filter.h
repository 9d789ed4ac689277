// What holdfast-filter looks for in messages, and what becomes of those where it finds it: `content_filter:` (decision 23).
// Plain data, rows of global_settings().
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/time.h"

namespace holdfast::config {

struct Config;
struct Paths;
template <class Owner>
struct Setting;

struct ContentFilter {
  // Every `action` is reject, quarantine, header or pass.
  struct Rule {
    std::vector<std::string> blocked;
    std::string file;  // where `blocked` was read from, when it was a file
    std::string action = "reject";
  };

  bool enabled = false;
  Rule names{.blocked = {"*.ade", "*.adp", "*.apk", "*.appx", "*.bat", "*.chm", "*.cmd", "*.com", "*.cpl", "*.dll", "*.exe",
                         "*.gadget", "*.hlp", "*.hta", "*.inf", "*.ins", "*.isp", "*.jar", "*.js", "*.jse", "*.lnk", "*.mde",
                         "*.msc", "*.msi", "*.msix", "*.msp", "*.mst", "*.ocx", "*.pif", "*.ps1", "*.psm1", "*.reg", "*.scf",
                         "*.scr", "*.sct", "*.settingcontent-ms", "*.shb", "*.shs", "*.sys", "*.url", "*.vb", "*.vbe", "*.vbs",
                         "*.vhd", "*.vhdx", "*.vxd", "*.wsc", "*.wsf", "*.wsh", "*.xll"}};
  Rule types{.blocked = {"application/hta", "application/x-dosexec", "application/x-ms-shortcut", "application/x-msdos-program",
                         "application/x-msdownload", "message/partial"}};
  Rule urls;                            // hosts, with all below them
  std::string executables = "reject";   // by what their bytes begin with
  std::string shortcuts = "reject";     // of Windows
  std::string macros = "quarantine";    // in office documents
  std::string scripts = "pass";         // "#!"
  std::string images = "quarantine";    // of discs
  std::string encrypted = "quarantine";
  std::string damaged = "quarantine";   // archives that cannot be read to their end within the limits, broken MIME
  int depth = 5;                        // archives in archives
  int entries = 2'000;                  // of all archives of a message
  std::uint64_t bytes = 256ULL << 20;   // unpacked, of all archives of a message
  base::Seconds time{20};               // for a message
};

// Where it listens, as the milter `holdfast` of `filters`.
std::string filter_folder(const Paths& paths);
std::string filter_socket(const Paths& paths);

std::span<const Setting<Config>> content_settings();  // those that begin with "content_filter."

}  // namespace holdfast::config
