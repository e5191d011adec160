<?php
/** As the example has it. */

return require getenv('LARAVEL_EXAMPLE') . '/config/inbox.php';
