// The settings of webd: `web:`. Read beside the Config, from the same files, by those who need them: master, webd and
// gatewayctl. load() has checked them too.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/config/config.h"
#include "common/config/load.h"
#include "common/config/show.h"

namespace holdfast::config {

struct Web {
  std::string listen = "127.0.0.1:8025";  // "off": there is no webd
  KeyFiles tls;
  Seconds session_idle{30 * 60};          // a session that asks nothing for so long ends
  Seconds session_longest{12 * 3600};     // and in any case after this

  // Where it listens; nothing: nowhere.
  std::optional<HostPort> address() const;
  bool operator==(const Web&) const = default;
};

// As load() and load_alone() do.
base::Result<Web> load_web(const std::string& file);
base::Result<Web> load_web_alone(const std::string& file);

// The accounts of the web (common/admin/web_users.h): a folder that webd and root write.
std::string web_folder(const Paths& paths);
std::string web_users_file(const Paths& paths);
// Entries of the sender allow list that come from the quarantine (admin/allowed_senders.h); may not be there.
std::string allowed_senders_file(const Paths& paths);

std::span<const Setting<Web>> web_settings();

// As show.h has them, for these settings.
std::string show_web(const Web& web, Style style);
std::vector<Shown> list_web(const Web& web);
std::vector<Change> web_difference(const Web& before, const Web& after);

}  // namespace holdfast::config
