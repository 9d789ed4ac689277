// Tells systemd how we are; without systemd these do nothing.
#pragma once

#include <string>

namespace holdfast::master {

void notify_ready(const std::string& status);
void notify_reloading();
void notify_stopping();

}  // namespace holdfast::master
