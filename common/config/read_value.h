// One value of the YAML tree into one setting's slot.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/config/faults.h"
#include "common/config/settings.h"
#include "common/config/yaml_tree.h"

namespace holdfast::config {

// `name` is the setting's full name, for errors. On a fault the slot keeps what it had. Items of a list of
// recipients are taken as they are written; `places` gets where each of them stands.
void read_value(const Slot& slot, const Info& info, const std::string& name, const Node& node,
                std::vector<Place>& places, Faults& faults);

}  // namespace holdfast::config
