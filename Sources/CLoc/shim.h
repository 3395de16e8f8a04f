#include <stdio.h>
#include <libloc/libloc.h>
#include <libloc/database.h>
