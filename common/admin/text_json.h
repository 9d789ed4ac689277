// JSON for our output: one object a line, bytes that are no UTF-8 replaced. Only .cc files include this.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "common/base/time.h"

namespace holdfast::admin {

using nlohmann::json;

inline std::string dump(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }
inline std::string dump_line(const json& object) { return dump(object) + "\n"; }

// Never is null, in JSON as on the screen.
inline json time_json(std::int64_t ms) { return ms == 0 ? json() : json(base::iso8601(base::from_millis(ms))); }
inline json epoch_json(std::int64_t ms) { return ms == 0 ? json() : json(ms / 1000); }
template <class T>
json optional_json(const std::optional<T>& value) { return value ? json(*value) : json(); }

}  // namespace holdfast::admin
