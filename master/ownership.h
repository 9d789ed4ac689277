// Whom the daemons run as, and that the folders are theirs (decision 14). Only a master that is root has a choice.
#pragma once

#include <optional>
#include <string>

#include "common/base/error.h"
#include "common/config/config.h"
#include "common/sandbox/privileges.h"

namespace holdfast::master {

struct Whom {
  std::optional<sandbox::Identity> identity;  // none: whom master runs as
  std::string warning;                        // for the log; empty: none
};

// The account of Config::user. Without one: root's uid, if master is root, and a warning.
base::Result<Whom> whom(const config::Config& config);

// Gives each folder, and what lies in it, to whom it must belong, whoever made it: so an installation that ran as root
// goes on as another, and back. What root itself writes lies in folders where the others cannot replace it: `run` and
// `log` are root's, sticky, and open to the account's group; `state` is root's. To be called while no daemon runs.
base::Status settle_folders(const config::Paths& paths, const Whom& whom);

}  // namespace holdfast::master
