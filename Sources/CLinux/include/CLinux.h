#ifndef MOTHLIGHT_CLINUX_H
#define MOTHLIGHT_CLINUX_H
#include "CLinuxDatagram.h"
#endif
