<?php
/** Loads the inbox where there is no autoloader. */
declare(strict_types=1);

foreach (['Rules', 'Database', 'People', 'Messages', 'Inbox'] as $class) {
    require_once __DIR__ . "/$class.php";
}
