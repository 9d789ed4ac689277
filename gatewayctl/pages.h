// Holdfast's manual pages: gatewayctl(8), gateway.yaml(5), and one a daemon, each from the table that the program goes by.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

// "gateway.yaml.5", "gatewayctl.8", "holdfast-master.8", …: of the daemons that this build has.
std::vector<std::string> page_names();

// For man; kNotFound: there is no such page.
base::Result<std::string> page_text(const CLI::App& app, const std::string& name);

}  // namespace holdfast::gatewayctl
