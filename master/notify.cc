#include "master/notify.h"

#include <ctime>

#include <fmt/core.h>
#include <systemd/sd-daemon.h>

namespace holdfast::master {

void notify_ready(const std::string& status) { ::sd_notify(0, fmt::format("READY=1\nSTATUS={}", status).c_str()); }

void notify_reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  ::sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000LL + now.tv_nsec / 1000).c_str());
}

void notify_stopping() { ::sd_notify(0, "STOPPING=1"); }

}  // namespace holdfast::master
